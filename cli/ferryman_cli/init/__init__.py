"""What `ferryman init` does: look at ECS and ECR with the caller's credentials, and write a first platform document.

What AWS does not tell is asked, or stays a comment. Nothing in AWS is changed.
"""
