CREATE TABLE lines (id bigint, note text);
CREATE INDEX lines_note_idx ON lines (note);
