"""The CloudFormation stack: made, described, removed."""
