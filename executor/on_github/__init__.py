"""What happens on GitHub around a plan: pull requests opened, judged, told of and archived."""
