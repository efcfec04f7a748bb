import "date"

option task = {name: "yujing_hours", every: 30m}

since = date.truncate(t: -3h, unit: 1h)
of = (field) => from(bucket: "yujing_minutes")
  |> range(start: since, stop: date.truncate(t: now(), unit: 1m))
  |> filter(fn: (r) => (r._measurement == "readings" or r._measurement == "service") and r._field == field)

of(field: "low")
  |> aggregateWindow(every: 1h, fn: min, timeSrc: "_start", createEmpty: false)
  |> set(key: "_field", value: "low")
  |> to(bucket: "yujing_hours")
  |> yield(name: "low")

of(field: "high")
  |> aggregateWindow(every: 1h, fn: max, timeSrc: "_start", createEmpty: false)
  |> set(key: "_field", value: "high")
  |> to(bucket: "yujing_hours")
  |> yield(name: "high")

of(field: "sum")
  |> aggregateWindow(every: 1h, fn: sum, timeSrc: "_start", createEmpty: false)
  |> set(key: "_field", value: "sum")
  |> to(bucket: "yujing_hours")
  |> yield(name: "sum")

of(field: "count")
  |> aggregateWindow(every: 1h, fn: sum, timeSrc: "_start", createEmpty: false)
  |> set(key: "_field", value: "count")
  |> to(bucket: "yujing_hours")
  |> yield(name: "count")

of(field: "blank")
  |> aggregateWindow(every: 1h, fn: sum, timeSrc: "_start", createEmpty: false)
  |> set(key: "_field", value: "blank")
  |> to(bucket: "yujing_hours")
  |> yield(name: "blank")
