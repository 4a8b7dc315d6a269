DROP POLICY mine ON orders;
