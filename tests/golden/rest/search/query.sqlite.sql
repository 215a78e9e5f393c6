-- rows: $0, $1, $2, $3, $4, $5, $6
SELECT t.userid, t.company
FROM tblclients AS t
WHERE (t.company COLLATE gateway_ci) LIKE ? ESCAPE '|' OR (t.vat COLLATE gateway_ci) LIKE ? ESCAPE '|' OR (t.phonenumber COLLATE gateway_ci) LIKE ? ESCAPE '|' OR (t.city COLLATE gateway_ci) LIKE ? ESCAPE '|' OR (t.website COLLATE gateway_ci) LIKE ? ESCAPE '|' ORDER BY t.userid ASC
 LIMIT ? OFFSET ?

-- count: $0, $1, $2, $3, $4
SELECT count(*) AS count_1 FROM tblclients AS t WHERE (t.company COLLATE gateway_ci) LIKE ? ESCAPE '|' OR (t.vat COLLATE gateway_ci) LIKE ? ESCAPE '|' OR (t.phonenumber COLLATE gateway_ci) LIKE ? ESCAPE '|' OR (t.city COLLATE gateway_ci) LIKE ? ESCAPE '|' OR (t.website COLLATE gateway_ci) LIKE ? ESCAPE '|'
