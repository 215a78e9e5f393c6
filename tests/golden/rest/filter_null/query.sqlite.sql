-- rows: $0, $1
SELECT t.id, t.email
FROM tblleads AS t
WHERE (t.email COLLATE gateway_ci) IS NOT NULL ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM tblleads AS t WHERE (t.email COLLATE gateway_ci) IS NOT NULL
