import "date"
import "bitwise"

option task = {name: "yujing_minutes", every: 10m}

since = date.truncate(t: -30m, unit: 1m)
of = (field) => from(bucket: "yujing")
  |> range(start: since, stop: date.truncate(t: now(), unit: 1m))
  |> filter(fn: (r) => (r._measurement == "readings" or r._measurement == "service") and r._field == field)

of(field: "value")
  |> aggregateWindow(every: 1m, fn: min, timeSrc: "_start", createEmpty: false)
  |> set(key: "_field", value: "low")
  |> to(bucket: "yujing_minutes")
  |> yield(name: "low")

of(field: "value")
  |> aggregateWindow(every: 1m, fn: max, timeSrc: "_start", createEmpty: false)
  |> set(key: "_field", value: "high")
  |> to(bucket: "yujing_minutes")
  |> yield(name: "high")

of(field: "value")
  |> aggregateWindow(every: 1m, fn: sum, timeSrc: "_start", createEmpty: false)
  |> set(key: "_field", value: "sum")
  |> to(bucket: "yujing_minutes")
  |> yield(name: "sum")

of(field: "value")
  |> aggregateWindow(every: 1m, fn: count, timeSrc: "_start", createEmpty: false)
  |> set(key: "_field", value: "count")
  |> to(bucket: "yujing_minutes")
  |> yield(name: "count")

of(field: "quality")
  |> filter(fn: (r) => bitwise.sand(a: r._value, b: 4) == 4)
  |> aggregateWindow(every: 1m, fn: count, timeSrc: "_start", createEmpty: false)
  |> set(key: "_field", value: "blank")
  |> to(bucket: "yujing_minutes")
  |> yield(name: "blank")
