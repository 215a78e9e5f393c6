-- # row 0
-- step 0: $0
INSERT INTO tbltags (name) VALUES (?)

-- read back: $1
SELECT t.id, t.name
FROM tbltags AS t
WHERE t.id = ?

-- # row 1
-- step 0: $0, $1
INSERT INTO tbltags (name, id) VALUES (?, ?)

-- read back: $1
SELECT t.id, t.name
FROM tbltags AS t
WHERE t.id = ?
