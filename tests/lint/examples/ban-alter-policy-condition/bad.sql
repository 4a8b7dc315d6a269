ALTER POLICY mine ON orders USING (owner = current_user);
