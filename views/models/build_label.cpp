#include "views/models/build_label.h"

#include <QObject>
#include <QStringList>

#include "sessions/problems.h"
#include "views/widgets/number_format.h"

namespace strobe {

QString markedTime(const Build& build, const QString& time) {
    return disturbanceOf(build).empty() ? time : QStringLiteral("! ") + time;
}

QString doubtText(const Build& build) {
    const QString why = QString::fromStdString(disturbanceOf(build));
    return why.isEmpty() ? QString() : QObject::tr("Measured on a busy machine: %1").arg(why);
}

QString clocksText(const Build& build) {
    constexpr double kAlike = 1.15;
    if (!build.profile || build.profile->latency.median <= 0 || build.profile->instrumented.median <= 0) return {};
    const double with = build.profile->instrumented.median, without = build.profile->latency.median;
    if (with < kAlike * without && without < kAlike * with) return {};
    return QObject::tr("%1: a run took %2 with layer clocks, %3 without")
        .arg(QString::fromStdString(build.name), formatTime(with / 1000), formatTime(without / 1000));
}

QString buildLabel(const Build& build) {
    const QString name = QString::fromStdString(build.name);
    if (!build.profile) return name;
    return name + QStringLiteral(" · ") + markedTime(build, formatTime(build.profile->latency.median / 1000));
}

QStringList nodeNames(const Model* model) {
    QStringList names;
    if (model == nullptr) return names;
    for (const SourceNode& node : model->parsed->sourceNodes()) names << QString::fromStdString(node.name);
    return names;
}

}  // namespace strobe
