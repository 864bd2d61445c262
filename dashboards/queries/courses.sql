-- How did this seller's products do on the sealed days of several stretches, and step by step?
--
-- in   seller; limited: 1 if only `products` count, 0 for all; products; first, last; open: days in
--      between that are not sealed; origin: the first of the days in line; cell_of: the cell of
--      each day from there on, from 0; cells: how many there are; chosen_at, over_at, before_at,
--      long_at: each stretch's first cell, from 1; chosen_cells, over_cells, before_cells,
--      long_cells: how many it has; chosen_first, chosen_last
-- out  product; views and visitors of `chosen`; visitors of `over`, `before` and `long`; course: the
--      visitors of each cell, with a space between. A product that nobody looked at has no row. One
--      pass over the rows, which are most of a million: nearly all of them count, so they are read
--      at once and not filtered column by column, and summed in arrays, not in a group a cell.
--      Totals are of days only: reading the period as well took an eighth of the time.
select
    product,
    shown as views,
    arraySum(arraySlice(course, {chosen_at:UInt16}, {chosen_cells:UInt16})) as visitors,
    arraySum(arraySlice(course, {over_at:UInt16}, {over_cells:UInt16})) as visitors_over,
    arraySum(arraySlice(course, {before_at:UInt16}, {before_cells:UInt16})) as visitors_before,
    arraySum(arraySlice(course, {long_at:UInt16}, {long_cells:UInt16})) as visitors_long,
    arrayStringConcat(course, ' ') as course_told
from (
    select
        product,
        sumIf(counts.views, day between {chosen_first:Date} and {chosen_last:Date}) as shown,
        sumResample(0, {cells:UInt16}, 1)(
            counts.visitors, {cell_of:Array(UInt16)}[day - {origin:Date} + 1]
        ) as course
    from counts
    where seller = {seller:String}
      and product != ''
      and ({limited:UInt8} = 0 or product in {products:Array(String)})
      and dimension = ''
      and day between {first:Date} and {last:Date}
      and day not in {open:Array(Date)}
    group by product
    settings optimize_move_to_prewhere = 0
)
