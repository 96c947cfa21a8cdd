#include "app/gui/action_list.h"

#include <QCoreApplication>
#include <QKeyEvent>
#include <QMainWindow>
#include <QMenu>
#include <QMenuBar>
#include <algorithm>

namespace strobe {
namespace {

constexpr char kTip[] = "tip";  // of an action that is enabled

struct Spec {
    const char* menu;
    const char* id;    // empty: a separator
    const char* text;
    const char* keys;  // one or more, divided by "; "
    const char* tip = "";
    bool checkable = false;
};

constexpr Spec kSpecs[] = {
    {"&File", "open", "&Open…", "Ctrl+O", "Open an ONNX model or a Strobe session"},
    {"&File", "openSample", "Open the s&ample", "", "A small network that reads handwritten digits, with its data"},
    {"&File", "reload", "&Reload the model", "F5", "Read the model file again"},
    {"&File", "", "", ""},
    {"&File", "save", "&Save session", "Ctrl+S", "Save settings, builds and comparisons in one file"},
    {"&File", "saveAs", "Save session &as…", "Ctrl+Shift+S"},
    {"&File", "export", "&Export…", "Ctrl+E", "Engine file, report and tables of the current build"},
    {"&File", "exportGraphPng", "Save graph as PNG…", ""},
    {"&File", "exportGraphSvg", "Save graph as SVG…", ""},
    {"&File", "", "", ""},
    {"&File", "quit", "&Quit", "Ctrl+Q"},
    {"&Edit", "undo", "&Undo", "Ctrl+Z"},
    {"&Edit", "redo", "&Redo", "Ctrl+Shift+Z; Ctrl+Y"},
    {"&Edit", "", "", ""},
    {"&Edit", "back", "Selection &back", "Alt+Left", "The selection before this one"},
    {"&Edit", "forward", "Selection &forward", "Alt+Right"},
    {"&Edit", "clear", "&Cancel the job, or clear the selection", "Esc"},
    {"&Edit", "", "", ""},
    {"&Edit", "find", "&Find in graph", "Ctrl+F"},
    {"&Edit", "filterLayers", "Filter &layers", "Ctrl+L"},
    {"&Build", "build", "&Build and profile", "Ctrl+B; Ctrl+Return",
     "Build an engine with these settings and measure every layer"},
    {"&Build", "buildOnly", "Build &without profiling", "Ctrl+Shift+B"},
    {"&Build", "measureAgain", "&Measure again", "Ctrl+M",
     "Profile the current build once more, without building it anew"},
    {"&Build", "compare", "&Compare builds", "Ctrl+D", "Speed and accuracy of the chosen build against the first"},
    {"&Build", "cancel", "Cancel the &job", "Ctrl+."},
    {"&Build", "", "", ""},
    {"&Build", "precisionFP32", "Precision FP&32", "", "Everything in 32 bits: the reference", true},
    {"&Build", "precisionBF16", "Precision &BF16", "", "16 bits with FP32's range", true},
    {"&Build", "precisionFP16", "Precision &FP16", "", "16 bits with more digits and less range", true},
    {"&Build", "precisionBest", "Precision B&est", "", "Each layer in the precision that is fastest here", true},
    {"&View", "stageParsed", "Graph: &Parsed", "P"},
    {"&View", "stageFused", "Graph: F&used", "U"},
    {"&View", "stageEngine", "Graph: &Engine", "E"},
    {"&View", "colourFamily", "Colour by op family", ""},
    {"&View", "colourTime", "Colour by time", ""},
    {"&View", "colourPrecision", "Colour by precision", ""},
    {"&View", "colourMemory", "Colour by memory", ""},
    {"&View", "colourDivergence", "Colour by divergence", ""},
    {"&View", "fitGraph", "&Fit graph", "Ctrl+0"},
    {"&View", "minimap", "&Minimap", "M", "", true},
    {"&View", "", "", ""},
    {"&View", "themeSystem", "Theme: &system", "", "", true},
    {"&View", "themeLight", "Theme: &light", "", "", true},
    {"&View", "themeDark", "Theme: &dark", "", "", true},
    {"&View", "", "", ""},
    {"&View", "fullScreen", "F&ull screen", "F11", "", true},
    {"&View", "resetLayout", "&Reset layout", ""},
    {"&View", "", "", ""},
    {"&Help", "palette", "&Command palette", "Ctrl+K; Ctrl+Shift+P"},
    {"&Help", "keys", "&Keys", "?"},
    {"&Help", "about", "&About Strobe", ""},
};

}  // namespace

ActionList::ActionList(QMainWindow& window) : QObject(&window), m_window(window) {
    for (const Spec& spec : kSpecs) {
        if (*spec.id == '\0') continue;
        QAction& action = add(QString::fromUtf8(spec.menu), QString::fromLatin1(spec.id),
                              QCoreApplication::translate("ActionList", spec.text), QString::fromLatin1(spec.keys));
        action.setCheckable(spec.checkable);
        const QString keys = action.shortcut().toString(QKeySequence::NativeText);
        const QString tip = *spec.tip == '\0' ? QString(action.text()).remove('&') : QCoreApplication::translate("ActionList", spec.tip);
        action.setToolTip(keys.isEmpty() ? tip : QStringLiteral("%1 (%2)").arg(tip, keys));
        action.setProperty(kTip, action.toolTip());
    }
    QCoreApplication::instance()->installEventFilter(this);
}

// Under X11 text fields claim Ctrl+D, Ctrl+E and Ctrl+K for editing as Emacs does; here these are the window's keys,
// wherever the cursor stands. So is Esc while there is work that it cancels.
bool ActionList::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() != QEvent::ShortcutOverride) return false;
    const auto* widget = qobject_cast<QWidget*>(watched);
    if (!widget || widget->window() != &m_window || !isOwnKey(*static_cast<QKeyEvent*>(event))) return false;
    event->ignore();
    return true;
}

bool ActionList::isOwnKey(const QKeyEvent& key) const {
    if (key.key() == Qt::Key_Escape) return m_isEscapeTaken;
    if (!key.modifiers().testFlag(Qt::ControlModifier) || key.matches(QKeySequence::Undo) || key.matches(QKeySequence::Redo)) return false;
    const QKeySequence pressed(key.keyCombination());
    return std::any_of(m_all.begin(), m_all.end(), [&](const QAction* action) { return action->shortcuts().contains(pressed); });
}

QAction& ActionList::add(const QString& menu, const QString& id, const QString& text, const QString& keys) {
    auto* action = new QAction(text, &m_window);
    action->setObjectName(id);
    action->setProperty("category", QString(menu).remove('&'));
    QList<QKeySequence> sequences;
    for (const QString& key : keys.split(QStringLiteral("; "), Qt::SkipEmptyParts)) sequences += QKeySequence(key);
    action->setShortcuts(sequences);
    m_window.addAction(action);
    m_all += action;
    m_byId.insert(id, action);
    if (m_menus.contains(menu)) m_menus[menu]->addAction(action);
    return *action;
}

QAction& ActionList::operator[](const QString& id) const {
    Q_ASSERT(m_byId.contains(id));
    return *m_byId.value(id);
}

void ActionList::setEnabled(const QString& id, bool enabled, const QString& why) {
    QAction& action = (*this)[id];
    action.setEnabled(enabled);
    const QString tip = action.property(kTip).toString();
    action.setToolTip(enabled ? tip : tip + '\n' + why);
}

void ActionList::on(const QString& id, std::function<void()> handler) {
    connect(&(*this)[id], &QAction::triggered, this, [handler = std::move(handler)] { handler(); });
}

void ActionList::fillMenus() {
    for (const Spec& spec : kSpecs) {
        const QString title = QString::fromUtf8(spec.menu);
        QMenu*& menu = m_menus[title];
        if (menu == nullptr) {
            menu = m_window.menuBar()->addMenu(QCoreApplication::translate("ActionList", spec.menu));
            menu->setToolTipsVisible(true);
        }
        if (*spec.id == '\0')
            menu->addSeparator();
        else
            menu->addAction(&(*this)[QString::fromLatin1(spec.id)]);
    }
}

QMenu& ActionList::menu(const QString& title) const {
    return *m_menus.value(title);
}

}  // namespace strobe
