-- What is in the database before the file is imported: a table with a column that no field fills, and two rows.
CREATE TABLE countries (
  id INTEGER PRIMARY KEY, ourairports_id INTEGER, code TEXT NOT NULL UNIQUE, name TEXT, continent TEXT,
  wikipedia_link TEXT, keywords TEXT, note TEXT
);
INSERT INTO countries (ourairports_id, code, name, continent, note) VALUES
  (302629, 'DE', 'East and West', 'EU', 'ours'),
  (1, 'SU', 'Soviet Union', 'AS', NULL);
