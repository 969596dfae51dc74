#include "core/base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <string_view>
#include <vector>

#include "core/base/sync.h"
#include "core/base/text.h"

namespace hookswitch {

struct Metrics::Impl {
  prometheus::Registry registry{prometheus::Registry::InsertBehavior::Merge};
  Mutex mu;
  std::vector<std::function<void()>> refreshers GUARDED_BY(mu);
};

namespace {

/// As a label may be: one that holds a NUL or ill-formed UTF-8 makes Prometheus drop the whole scrape.
std::string LabelText(std::string_view value) {
  std::string text = ToUtf8(value);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

std::map<std::string, std::string> ToMap(const Labels& labels) {
  std::map<std::string, std::string> map;
  for (const auto& [name, value] : labels) map.emplace(name, LabelText(value));
  return map;
}

}  // namespace

void Counter::Add(double amount) const {
  impl_->Increment(amount);
}
double Counter::Value() const {
  return impl_->Value();
}
void Gauge::Set(double value) const {
  impl_->Set(value);
}
void Gauge::Add(double amount) const {
  impl_->Increment(amount);
}
double Gauge::Value() const {
  return impl_->Value();
}
void Histogram::Observe(double seconds) const {
  impl_->Observe(seconds);
}

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

Counter Metrics::MakeCounter(const std::string& name, const std::string& help, const Labels& labels) {
  auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(impl_->registry);
  return Counter(&family.Add(ToMap(labels)));
}

Gauge Metrics::MakeGauge(const std::string& name, const std::string& help, const Labels& labels) {
  auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(impl_->registry);
  return Gauge(&family.Add(ToMap(labels)));
}

Histogram Metrics::MakeLatency(const std::string& name, const std::string& help, const Labels& labels,
                               const std::vector<double>& longer) {
  prometheus::Histogram::BucketBoundaries buckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                  0.25,  0.5,    1,     2.5,  5,     10};
  buckets.insert(buckets.end(), longer.begin(), longer.end());
  auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(impl_->registry);
  return Histogram(&family.Add(ToMap(labels), buckets));
}

void Metrics::BeforeScrape(std::function<void()> refresh) {
  MutexLock lock(impl_->mu);
  impl_->refreshers.push_back(std::move(refresh));
}

std::string Metrics::Text() {
  std::vector<std::function<void()>> refreshers;
  {
    MutexLock lock(impl_->mu);
    refreshers = impl_->refreshers;
  }
  for (const auto& refresh : refreshers) refresh();
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace hookswitch
