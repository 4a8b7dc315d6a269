ALTER POLICY mine ON orders TO app;
