-- lock: $0
SELECT t.id
FROM tbltags AS t
WHERE t.id = %s FOR UPDATE

-- step 0: $1, $0
UPDATE tbltags SET name=%s WHERE tbltags.id = %s

-- read back: $0
SELECT t.id, t.name
FROM tbltags AS t
WHERE t.id = %s
