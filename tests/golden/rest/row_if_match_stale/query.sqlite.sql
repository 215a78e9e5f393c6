-- rows: $0
SELECT t.id, t.name
FROM tbltags AS t
WHERE t.id = ?
