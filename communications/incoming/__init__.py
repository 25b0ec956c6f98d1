"""What comes back: providers' news, debtors' words, and every way to say stop."""
