-- rows: $0, $1, $3, $2
SELECT t.id, t.status, t.total
FROM tblinvoices AS t
WHERE t.status = %s OR (EXISTS (SELECT 1
FROM tblinvoicepaymentrecords AS t_1
WHERE t.id = t_1.invoiceid AND t_1.amount > %s)) ORDER BY t.total DESC, t.id ASC
 LIMIT %s, %s

-- count: $0, $1
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblinvoices AS t WHERE t.status = %s OR (EXISTS (SELECT 1 FROM tblinvoicepaymentrecords AS t_1 WHERE t.id = t_1.invoiceid AND t_1.amount > %s))
