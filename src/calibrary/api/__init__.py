"""What `import calibrary` offers to programs; each name is loaded when it is first used."""
