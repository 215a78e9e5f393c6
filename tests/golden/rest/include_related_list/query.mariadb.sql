-- rows: $0, $2, $1
SELECT t.id
FROM tblinvoices AS t
WHERE EXISTS (SELECT 1
FROM tblclients AS t_1
WHERE t_1.userid = %s AND t_1.userid = t.clientid AND t.clientid != 0) ORDER BY t.id ASC
 LIMIT %s, %s

-- count: $0
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblinvoices AS t WHERE EXISTS (SELECT 1 FROM tblclients AS t_1 WHERE t_1.userid = %s AND t_1.userid = t.clientid AND t.clientid != 0)

-- parent: $4
SELECT t.userid
FROM tblclients AS t
WHERE t.userid = %s

-- payments of 1 parent: ^0, ^1
SELECT t.amount, t.invoiceid
FROM tblinvoicepaymentrecords AS t
WHERE t.invoiceid IN (%s) ORDER BY t.id ASC
 LIMIT %s

-- payments of 4 parents: ^0, ^1, ^2, ^3, $3, ^4
SELECT c.amount, w.r0
FROM tblinvoicepaymentrecords AS c INNER JOIN (SELECT t.id AS k0, t.invoiceid AS r0, row_number() OVER (PARTITION BY t.invoiceid ORDER BY t.id ASC) AS n
FROM tblinvoicepaymentrecords AS t
WHERE t.invoiceid IN (%s, %s, %s, %s)) AS w ON c.id = w.k0
WHERE w.n <= %s ORDER BY w.n
 LIMIT %s
