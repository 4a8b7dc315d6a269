CREATE VIEW people AS SELECT id FROM auth.users;
