-- lock: $0
SELECT t.id
FROM tbltags AS t
WHERE t.id = ?

-- step 0: $1, $0
UPDATE tbltags SET name=? WHERE tbltags.id = ?

-- read back: $0
SELECT t.id, t.name
FROM tbltags AS t
WHERE t.id = ?
