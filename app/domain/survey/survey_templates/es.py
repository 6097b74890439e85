from app.domain.survey.survey_templates.texts import Bands, Choice, LanguageTexts, Wording

SPANISH = LanguageTexts(
    labels={
        "nps": ("Nada probable", "Muy probable"),
        "csat": ("Nada satisfecho", "Muy satisfecho"),
        "ces": ("Totalmente en desacuerdo", "Totalmente de acuerdo"),
        "stars": ("Mala", "Excelente"),
    },
    thank_you=Bands(
        "¡Muchas gracias! Nos alegra saber que algo hacemos bien.",
        "¡Muchas gracias! Leemos todas las respuestas y la suya nos ayuda a mejorar.",
        "Gracias por su sinceridad. Sentimos no haber estado a la altura; vamos a ocuparnos de ello.",
    ),
    choices={
        "areas": Choice(
            "¿Qué ha influido más en su puntuación?",
            {
                "product": "El producto",
                "price": "El precio",
                "ordering": "La compra y el pago",
                "delivery": "La entrega",
                "service": "Las personas que me atendieron",
                "other": "Otra cosa",
            },
        ),
        "solved": Choice(
            "¿Ha quedado resuelta su consulta?",
            {"yes": "Sí, por completo", "partly": "En parte", "no": "No"},
        ),
    },
    wordings={
        "nps_relationship": Wording(
            "¿Qué probabilidad hay de que recomiende {brand|nuestra empresa} a un amigo o compañero?",
            Bands(
                "¿Qué es lo que más le gusta de nosotros?",
                "¿Qué tendríamos que mejorar para merecer un 10?",
                "¿Qué ha fallado y qué deberíamos cambiar primero?",
            ),
        ),
        "after_purchase": Wording(
            "Pensando en su último pedido, ¿qué probabilidad hay de que nos recomiende a un amigo?",
            Bands(
                "¿Qué le ha gustado de su pedido?",
                "¿Qué podría haber ido mejor con su pedido?",
                "¿Qué ha fallado con su pedido?",
            ),
        ),
        "after_support": Wording(
            "¿Cómo valora la ayuda que ha recibido de {brand|nuestro equipo}?",
            Bands(
                "¿Qué hemos hecho bien?",
                "¿Qué habría hecho que fuera una buena experiencia?",
                "¿Qué deberíamos haber hecho de otra manera?",
            ),
        ),
        "onboarding": Wording(
            "Tras sus primeras semanas con {brand|nosotros}, ¿qué probabilidad hay de que nos recomiende?",
            Bands(
                "¿Qué le ha ayudado más a empezar?",
                "¿Qué le habría facilitado los comienzos?",
                "¿Dónde se ha quedado atascado?",
            ),
        ),
        "csat": Wording(
            "En general, ¿cuál es su grado de satisfacción con {brand|nuestra empresa}?",
            Bands(
                "¿Con qué se siente más satisfecho?",
                "¿Qué le falta para estar satisfecho?",
                "¿Con qué no está satisfecho?",
            ),
        ),
        "ces": Wording(
            "{brand|La empresa} me ha facilitado hacer lo que quería.",
            Bands(
                "¿Qué lo hizo fácil?",
                "¿Qué podría haber sido más fácil?",
                "¿Qué lo hizo difícil?",
            ),
        ),
        "five_stars": Wording(
            "¿Cómo valora su experiencia con {brand|nosotros}?",
            Bands(
                "¿Qué fue lo mejor?",
                "¿Qué ha faltado para las cinco estrellas?",
                "¿Qué deberíamos mejorar?",
            ),
        ),
        "thumbs": Wording(
            "¿Le ha resultado útil?",
            Bands(
                "¿Qué le ha ayudado?",
                "¿Qué ha echado en falta?",
                "¿Qué estaba buscando?",
            ),
        ),
        "employee_nps": Wording(
            "¿Qué probabilidad hay de que recomiende {brand|nuestra empresa} como lugar de trabajo?",
            Bands(
                "¿Qué es lo que más valora de trabajar aquí?",
                "¿Qué haría falta para que nos recomendara como lugar de trabajo?",
                "¿Qué tendría que cambiar para que le gustara trabajar aquí?",
            ),
            Bands(
                "¡Muchas gracias! Su respuesta ayuda a conservar lo que funciona.",
                "¡Muchas gracias! Su respuesta ayuda a hacer de este un lugar mejor para trabajar.",
                "Gracias por su franqueza. Con respuestas como la suya empiezan los cambios.",
            ),
        ),
        "wow": Wording(
            "¿Qué probabilidad hay de que recomiende {brand|nuestra empresa} a un amigo o compañero?",
            Bands(
                "¿Cuándo fue la última vez que le sorprendimos de verdad, y con qué?",
                "¿Qué podríamos hacer para sorprenderle de verdad?",
                "Más allá de los pequeños arreglos, ¿con qué volveríamos a ganarnos su confianza?",
            ),
        ),
    },
)
