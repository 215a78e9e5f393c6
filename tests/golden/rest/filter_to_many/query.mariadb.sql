-- rows: $0, $2, $1
SELECT t.id, t.total
FROM tblinvoices AS t
WHERE EXISTS (SELECT 1
FROM tblinvoicepaymentrecords AS t_1
WHERE t.id = t_1.invoiceid AND t_1.amount > %s) ORDER BY t.id ASC
 LIMIT %s, %s

-- count: $0
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblinvoices AS t WHERE EXISTS (SELECT 1 FROM tblinvoicepaymentrecords AS t_1 WHERE t.id = t_1.invoiceid AND t_1.amount > %s)
