"""What a person can do at the terminal. No bytes, no SQL, no Kivy."""
