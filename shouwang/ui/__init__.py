"""What every page shares: tokens, base pages, parts, lists, tags and browser modules. Knows no other room but the kernel."""
