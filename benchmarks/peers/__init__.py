"""The same work on what users would pick instead, each one's durability beside its number: `./dev bench peers`."""
