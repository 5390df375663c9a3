"""One Textual screen a module, beside its same-named .tcss."""
