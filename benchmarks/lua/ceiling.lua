-- The database alone: one prepared statement, over and over, by sysbench's C client on as many connections as wrk has.
-- Options: --statement (SQL with ? for a random key, or none), --rows (largest key, 0 for no parameter).

sysbench.cmdline.options = {
   statement = {"SQL text of the prepared statement", ""},
   rows = {"Largest key; 0 when the statement takes none", 0},
}

function thread_init()
   connection = sysbench.sql.driver():connect()
   statement = connection:prepare(sysbench.opt.statement)
   if sysbench.opt.rows > 0 then
      key = statement:bind_create(sysbench.sql.type.INT)
      statement:bind_param(key)
   end
end

function event()
   if key then key:set(sysbench.rand.uniform(1, sysbench.opt.rows)) end
   statement:execute():free()
end

function thread_done()
   statement:close()
   connection:disconnect()
end
