"""The approval website: pages that people open from a link, and the buttons of Slack. Called by decide_approval."""
