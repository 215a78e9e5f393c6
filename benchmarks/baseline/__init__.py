"""Small applications to compare with; each is a program that takes the port to listen on."""
