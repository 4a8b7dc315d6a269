DROP DATABASE warehouse;
