-- # invoices
-- rows: $0, $1, $2, '0001-01-01', $3, $5, $4
SELECT t.id
FROM tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0
WHERE (t.status IN (%s, %s) OR t_1.userid IS NOT NULL AND t_1.company LIKE %s ESCAPE '|') AND t.duedate IS NOT NULL AND t.duedate >= %s AND NOT (EXISTS (SELECT 1
FROM tblinvoicepaymentrecords AS t_2
WHERE t.id = t_2.invoiceid AND t_2.amount < %s)) AND (EXISTS (SELECT 1
FROM tblinvoicepaymentrecords AS t_3
WHERE t.id = t_3.invoiceid AND true = 1)) ORDER BY t.id ASC
 LIMIT %s, %s

-- count: $0, $1, $2, '0001-01-01', $3
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0 WHERE (t.status IN (%s, %s) OR t_1.userid IS NOT NULL AND t_1.company LIKE %s ESCAPE '|') AND t.duedate IS NOT NULL AND t.duedate >= %s AND NOT (EXISTS (SELECT 1 FROM tblinvoicepaymentrecords AS t_2 WHERE t.id = t_2.invoiceid AND t_2.amount < %s)) AND (EXISTS (SELECT 1 FROM tblinvoicepaymentrecords AS t_3 WHERE t.id = t_3.invoiceid AND true = 1))
