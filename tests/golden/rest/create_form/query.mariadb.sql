-- step 0: $0, $1, $2, $3, $4
INSERT INTO tblnotes (rel_id, rel_type, description, addedfrom, dateadded) VALUES (%s, %s, %s, %s, %s)

-- read back: $5
SELECT t.id, t.rel_id, t.rel_type, t.description, t.date_contacted, t.addedfrom, t.dateadded
FROM tblnotes AS t
WHERE t.id = %s
