-- # invoices
-- rows: $0, $1, $2, $3, $4, $5
SELECT t.id
FROM tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0
WHERE (t.status IN (?, ?) OR t_1.userid IS NOT NULL AND (t_1.company COLLATE gateway_ci) LIKE ? ESCAPE '|') AND t.duedate IS NOT NULL AND NOT (EXISTS (SELECT 1
FROM tblinvoicepaymentrecords AS t_2
WHERE t.id = t_2.invoiceid AND t_2.amount < ?)) AND (EXISTS (SELECT 1
FROM tblinvoicepaymentrecords AS t_3
WHERE t.id = t_3.invoiceid AND 1 = 1)) ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count: $0, $1, $2, $3
SELECT count(*) AS count_1 FROM tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0 WHERE (t.status IN (?, ?) OR t_1.userid IS NOT NULL AND (t_1.company COLLATE gateway_ci) LIKE ? ESCAPE '|') AND t.duedate IS NOT NULL AND NOT (EXISTS (SELECT 1 FROM tblinvoicepaymentrecords AS t_2 WHERE t.id = t_2.invoiceid AND t_2.amount < ?)) AND (EXISTS (SELECT 1 FROM tblinvoicepaymentrecords AS t_3 WHERE t.id = t_3.invoiceid AND 1 = 1))
