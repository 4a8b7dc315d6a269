CREATE TYPE mood AS ENUM ('old', 'new');
