-- groups: $0, $1
SELECT count(*) AS count_1, sum(t.total) AS sum_1, avg(round(t.total - (coalesce(t_2.total, 0) + coalesce(t_4.total, 0)), 2)) AS avg_1, max(t.date) AS max_1, count(DISTINCT t.currency) AS count_2
FROM tblinvoices AS t LEFT OUTER JOIN (SELECT t_1.invoiceid AS invoiceid, sum(t_1.amount) AS total
FROM tblinvoicepaymentrecords AS t_1 GROUP BY t_1.invoiceid) AS t_2 ON t_2.invoiceid = t.id LEFT OUTER JOIN (SELECT t_3.invoice_id AS invoice_id, sum(t_3.amount) AS total
FROM tblcredits AS t_3 GROUP BY t_3.invoice_id) AS t_4 ON t_4.invoice_id = t.id
 LIMIT ? OFFSET ?
