# All platforms that the operator serves in this account and region. Every root reads this file: -var-file=../examples/platforms.tfvars
platforms = {
  scr = {
    environments    = ["staging", "production"]
    topics          = ["team"]
    mail_identities = ["scr-platform.com"]
  }

  # Set roles_below_path for each platform that you add, and never change it for one that exists (README, "Several platforms").
  # shop = { mail_identities = ["shop.example.com"], roles_below_path = true }
}
