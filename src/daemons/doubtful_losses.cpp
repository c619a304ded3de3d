// Each loss is a timer.
#include "daemons/doubtful_losses.hpp"

#include <utility>

namespace drover::daemons {

void DoubtfulLosses::hold(const std::string& name, Callback<void()> believe) {
  held_[name].after(executor_, wait_, [this, name, believe = std::move(believe)]() mutable {
    Callback<void()> told = std::move(believe);
    held_.erase(name);  // with the timer that runs this
    told();
  });
}

}  // namespace drover::daemons
