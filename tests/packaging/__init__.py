"""What is installed, from what, and how: the locks, the wheel, the scaffolding around them."""
