#include "core/message/composer.h"

namespace hookswitch {

struct Composer::Impl {};
Composer::Composer(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Composer::~Composer() = default;
std::shared_ptr<const Composer> Composer::Compile(const config::Config&, config::Problems&) {
  return std::shared_ptr<const Composer>(new Composer(std::make_unique<Impl>()));
}
Message Composer::Compose(const CallEvent& event, std::string_view) const {
  Message message;
  message.title = event.call_id;
  return message;
}

}  // namespace hookswitch
