ALTER TYPE mood ADD VALUE 'new' AFTER 'old';
