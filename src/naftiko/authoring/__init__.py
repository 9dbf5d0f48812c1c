"""What helps people write capabilities: starting one, bringing what they have, and what others take from one."""
