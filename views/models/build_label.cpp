#include "views/models/build_label.h"

#include <QStringList>

#include "views/widgets/number_format.h"

namespace strobe {

QString buildLabel(const Build& build) {
    const QString name = QString::fromStdString(build.name);
    return build.profile ? name + QStringLiteral(" · ") + formatTime(build.profile->latency.median / 1000) : name;
}

QStringList nodeNames(const Model* model) {
    QStringList names;
    if (model == nullptr) return names;
    for (const SourceNode& node : model->parsed->sourceNodes()) names << QString::fromStdString(node.name);
    return names;
}

}  // namespace strobe
