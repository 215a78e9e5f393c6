-- # row 0
-- step 0: $0
INSERT INTO tbltags (name) VALUES (%s)

-- read back: $1
SELECT t.id, t.name
FROM tbltags AS t
WHERE t.id = %s

-- # row 1
-- step 0: $0, $1
INSERT INTO tbltags (name, id) VALUES (%s, %s)

-- read back: $1
SELECT t.id, t.name
FROM tbltags AS t
WHERE t.id = %s
