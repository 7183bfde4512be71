"""The page of the SCR platform in Python, for where no Node is: what the Next.js app shows, it shows."""
