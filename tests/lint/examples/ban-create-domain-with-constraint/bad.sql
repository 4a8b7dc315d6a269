CREATE DOMAIN amount AS numeric CHECK (VALUE > 0);
