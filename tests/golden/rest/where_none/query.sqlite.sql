-- rows: $0, $1, $2
SELECT t.id
FROM tblinvoices AS t
WHERE NOT (EXISTS (SELECT 1
FROM tblinvoicepaymentrecords AS t_1
WHERE t.id = t_1.invoiceid AND 1 = 1)) AND t.status = ? ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count: $0
SELECT count(*) AS count_1 FROM tblinvoices AS t WHERE NOT (EXISTS (SELECT 1 FROM tblinvoicepaymentrecords AS t_1 WHERE t.id = t_1.invoiceid AND 1 = 1)) AND t.status = ?
