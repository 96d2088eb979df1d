"""What a command means, whatever way it is spelled: parsed, folded to one action, judged by its effects."""
