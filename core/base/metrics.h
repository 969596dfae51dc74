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

/// Handles are cheap to copy, safe from any thread, lock-free to use and valid as long as their Metrics.
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

/// The process's metrics, in the Prometheus text format. Asking again for the same name and labels gives the same
/// series. Making a series takes a lock: do it once, not per event. Safe from any thread.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Counter MakeCounter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge MakeGauge(const std::string& name, const std::string& help, const Labels& labels = {});
  /// Buckets fit latencies: 1 ms to 10 s.
  Histogram MakeLatency(const std::string& name, const std::string& help, const Labels& labels = {});
  /// `refresh` runs at the start of every Text(), on its thread, to set gauges that are computed when asked for.
  void BeforeScrape(std::function<void()> refresh);
  std::string Text();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hookswitch
