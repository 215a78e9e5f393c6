"""What is measured: the gateway and what it is compared with, each started by itself."""
