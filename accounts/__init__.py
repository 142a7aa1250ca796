"""People and their rights: who may do what, where. Knows nothing of OAuth."""
