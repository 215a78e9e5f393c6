-- rows: $0, $1, $2, $3
SELECT t.id, t.status, t.total
FROM tblinvoices AS t
WHERE t.status = ? OR (EXISTS (SELECT 1
FROM tblinvoicepaymentrecords AS t_1
WHERE t.id = t_1.invoiceid AND t_1.amount > ?)) ORDER BY t.total DESC, t.id ASC
 LIMIT ? OFFSET ?

-- count: $0, $1
SELECT count(*) AS count_1 FROM tblinvoices AS t WHERE t.status = ? OR (EXISTS (SELECT 1 FROM tblinvoicepaymentrecords AS t_1 WHERE t.id = t_1.invoiceid AND t_1.amount > ?))
