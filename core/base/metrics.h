#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace hookswitch {

using Labels = std::vector<std::pair<std::string, std::string>>;

/// Handles (Counter, Gauge, Histogram) are cheap to copy, lock-free, and valid as long as their Metrics. [thread: any]
class Counter {
 public:
  explicit Counter(prometheus::Counter* impl) : impl_(impl) {}
  void Add(double amount = 1) const;
  double Value() const;

 private:
  prometheus::Counter* impl_;
};

class Gauge {
 public:
  explicit Gauge(prometheus::Gauge* impl) : impl_(impl) {}
  void Set(double value) const;
  void Add(double amount) const;
  double Value() const;

 private:
  prometheus::Gauge* impl_;
};

class Histogram {
 public:
  explicit Histogram(prometheus::Histogram* impl) : impl_(impl) {}
  void Observe(double seconds) const;

 private:
  prometheus::Histogram* impl_;
};

/// The process's metrics in the Prometheus text format. The same name and labels return the same series. Creating a
/// series takes a lock: do it once, not per event. A label's value may be any bytes; control characters become spaces.
/// [thread: any]
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Counter MakeCounter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge MakeGauge(const std::string& name, const std::string& help, const Labels& labels = {});
  /// Histogram in seconds with buckets from 1 ms to 10 s, and then those of `longer`.
  Histogram MakeLatency(const std::string& name, const std::string& help, const Labels& labels = {},
                        const std::vector<double>& longer = {});
  /// Runs `refresh` at the start of every Text(), on its thread, to update gauges computed on demand.
  void BeforeScrape(std::function<void()> refresh);
  std::string Text();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hookswitch
