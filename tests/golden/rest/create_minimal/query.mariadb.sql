-- step 0: $0
INSERT INTO tbltags (name) VALUES (%s)

-- read back: $1
SELECT t.id, t.name
FROM tbltags AS t
WHERE t.id = %s
